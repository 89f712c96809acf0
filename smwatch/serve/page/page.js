// Says where this tab's session is before textual.js opens it, and what became of it afterwards.
"use strict";

const random = crypto.getRandomValues(new Uint8Array(16));
const tab = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");

// Addresses are those by which the browser got here, so that a proxy with TLS or a path in front makes no difference.
const here = new URL(location.href);
const there = new URL(`ws/${tab}`, here);
there.protocol = here.protocol === "https:" ? "wss:" : "ws:";
there.search = "";
const terminal = document.getElementById("terminal");
terminal.dataset.sessionWebsocketUrl = there.href;
const asked = parseInt(here.searchParams.get("fontsize"), 10);
terminal.dataset.fontSize = asked >= 6 && asked <= 72 ? asked : 16;

// The token has become a cookie: it need not stay where shoulders and histories see it.
if (here.searchParams.has("token")) {
  here.searchParams.delete("token");
  history.replaceState(null, "", here);
}

async function howItEnded() {
  try {
    const answer = await fetch(`ended/${tab}`, { cache: "no-store" });
    return answer.ok ? await answer.json() : { title: "smwatch serve refuses this page", text: await answer.text() };
  } catch {
    return {
      title: "No answer from smwatch serve",
      text: "It has ended, or the connection is lost. This page connects again by itself.",
      retry: 5,
    };
  }
}

async function back() {
  try {
    return (await fetch(location.href, { method: "HEAD", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function tryAgainIn(seconds) {
  const told = document.getElementById("retry");
  let left = seconds;
  const count = async () => {
    told.textContent = `again in ${left} s`;
    if (left-- > 0) {
      setTimeout(count, 1000);
    } else if (await back()) {
      location.reload();
    } else {
      left = seconds;
      count();
    }
  };
  count();
}

async function ended() {
  const { title, text, retry } = await howItEnded();
  const notice = document.getElementById("ended");
  notice.querySelector("h1").textContent = title;
  notice.querySelector("pre").textContent = text;
  notice.hidden = false;
  notice.querySelector("button").focus();
  document.title = `smwatch: ${title}`;
  if (retry) tryAgainIn(retry);
}

// textual.js tells by classes of the body how its WebSocket is.
let started = false;
const watcher = new MutationObserver(() => {
  const is = document.body.classList;
  if (is.contains("-closed")) {
    watcher.disconnect();
    ended();
  } else if (is.contains("-first-byte") && !started) {
    started = true;
    document.querySelector(".xterm-helper-textarea").focus(); // keys work without a click
  }
});
watcher.observe(document.body, { attributeFilter: ["class"] });
document.querySelector("button").addEventListener("click", () => location.reload());
