"""The screen: shows the store, sends intents back; the only package that knows Textual."""

import os

# Read by textual.constants at import. At 60 frames a second Textual's timer may skip a frame after a paint that follows
# silence; at 120 the 95th percentile of key press to painted is a quarter of it, at the same CPU.
os.environ.setdefault("TEXTUAL_FPS", "120")
