"""What became of a secret itself: its rotations, versions, resource policies and settings."""

from __future__ import annotations

from datetime import datetime

from smwatch.dossier import SecretDossier
from smwatch.dossier.rotation import Ending, Rotation
from smwatch.tui.columns import called
from smwatch.tui.lines import Line, Piece, fields, heading, line, paragraph, spread
from smwatch.tui.pages.targets import ToEvent
from smwatch.tui.text import fit
from smwatch.tui.times import Zone, moment, period

CHANGES = 6
"""How many of each are listed, the newest."""

_ENDINGS = {
    Ending.RUNNING: ("◐", "warn"),
    Ending.SUCCEEDED: ("●", "good"),
    Ending.FAILED: ("✗", "bad"),
    Ending.ABANDONED: ("✗", "bad"),
}


def rotations(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    """How the rotations went."""
    if not dossier.rotations:
        return []
    lines = heading("rotation")
    for rotation in dossier.rotations[:CHANGES]:
        lines += _one_rotation(rotation, now, zone, width)
    return lines


def _one_rotation(rotation: Rotation, now: datetime, zone: Zone, width: int) -> list[Line]:
    glyph, role = _ENDINGS[rotation.ending]
    word = rotation.ending.value
    if rotation.stuck(now):
        glyph, role, word = "✗", "bad", "never ended"
    took = f" in {period(rotation.took)}" if rotation.took is not None else ""
    test = "test " if rotation.test else ""
    at = moment(rotation.ended_at or rotation.started_at, zone, now)
    lines = [spread([Piece(f"{glyph} {test}{word}{took}", role)], [Piece(at, "quiet")], width, ToEvent(rotation.key))]
    if rotation.message:
        lines += paragraph(rotation.message, width, "warn", indent=2)
    return lines


def versions(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    """Which version each staging label is on, and the labels' last moves."""
    labels, decrypted = dossier.labels, dossier.decrypted_versions
    if not labels and not decrypted:
        return []
    lines = heading("versions")
    for label, version in labels.items():
        seen = decrypted.get(version)
        used = f"  decrypted {moment(seen, zone, now)}" if seen is not None else ""
        stuck = label == "AWSPENDING" and labels.get("AWSCURRENT") != version
        role = "warn" if stuck else ""
        lines.append(line(Piece(fit(label, 14), "label"), Piece(version[:36], role), Piece(used, "quiet")))
        if stuck:
            lines += paragraph("a pending version that never became current", width, "warn", indent=14)
    for version, at in decrypted.items():
        if version not in labels.values():
            lines.append(
                line(Piece(fit("unlabelled", 14), "label"), version[:36], Piece(f"  {moment(at, zone, now)}", "quiet"))
            )
    for move in dossier.moves[:CHANGES]:
        where = f"→ {move.version[:8]}" if move.version else f"taken from {move.taken_from[:8]}"
        lines.append(
            spread(
                [Piece(f"{move.label} {where} "), Piece(called(move.by), "quiet")],
                [Piece(moment(move.at, zone, now), "quiet")],
                width,
                ToEvent(move.key),
            )
        )
    return lines


def policies(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    """Who put which resource policy, and what is wrong with it; the text of the present one."""
    if not dossier.policies:
        return []
    lines = heading("resource policy")
    for change in dossier.policies[:CHANGES]:
        done = "removed" if not change.text else "put"
        bad = change.grade.public or bool(change.grade.foreign)
        lines.append(
            spread(
                [
                    Piece("✗ " if bad else "● ", "bad" if bad else "quiet"),
                    Piece(f"{done} by "),
                    Piece(called(change.by), "strong"),
                ],
                [Piece(moment(change.at, zone, now), "quiet")],
                width,
                ToEvent(change.key),
            )
        )
        if change.blocks_public:
            lines += paragraph("the call asked AWS to refuse a public policy", width, "quiet", indent=2)
        lines += [
            part for words in change.words for part in paragraph(words, width, "bad" if bad else "warn", indent=2)
        ]
    if text := dossier.policies[0].text:
        lines += paragraph(text[:2000], width, "quiet", indent=2)
    return lines


def settings(dossier: SecretDossier, now: datetime, zone: Zone, width: int) -> list[Line]:
    """Replicas, KMS key, and what was changed of these and others."""
    kept = fields([("replicas", ", ".join(dossier.replicas), ""), ("KMS key", dossier.kms_key, "")], width)
    if not kept and not dossier.changes:
        return []
    lines = heading("settings") + kept
    for change in dossier.changes[:CHANGES]:
        lines.append(
            spread(
                [Piece(f"{change.topic.value} ", "label"), Piece(change.what)],
                [Piece(moment(change.at, zone, now), "quiet")],
                width,
                ToEvent(change.key),
            )
        )
    return lines
