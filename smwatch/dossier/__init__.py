"""Dossiers: what all events together tell about one secret, and about one principal."""

from smwatch.dossier.dossiers import Dossiers
from smwatch.dossier.principal import PrincipalDossier
from smwatch.dossier.secret import SecretDossier

__all__ = ["Dossiers", "PrincipalDossier", "SecretDossier"]
