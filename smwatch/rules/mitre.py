"""What MITRE ATT&CK calls the techniques that rules name (Enterprise, versions 17 to 19)."""

from __future__ import annotations

TECHNIQUES = {
    "T1070": "Indicator Removal",
    "T1078.004": "Valid Accounts: Cloud Accounts",
    "T1098": "Account Manipulation",
    "T1119": "Automated Collection",
    "T1485": "Data Destruction",
    "T1486": "Data Encrypted for Impact",
    "T1489": "Service Stop",
    "T1526": "Cloud Service Discovery",
    "T1531": "Account Access Removal",
    "T1537": "Transfer Data to Cloud Account",
    "T1552.005": "Unsecured Credentials: Cloud Instance Metadata API",
    "T1555.006": "Credentials from Password Stores: Cloud Secrets Management Stores",
    "T1556": "Modify Authentication Process",
    "T1562.001": "Impair Defenses: Disable or Modify Tools",
    "T1562.008": "Impair Defenses: Disable or Modify Cloud Logs",
    "T1565.001": "Data Manipulation: Stored Data Manipulation",
    "T1580": "Cloud Infrastructure Discovery",
    "T1685": "Disable or Modify Tools",
    "T1685.002": "Disable or Modify Tools: Disable or Modify Cloud Log",
}


def technique(identifier: str) -> str:
    """A technique by id and name; the id alone where it is not among those that come with smwatch."""
    name = TECHNIQUES.get(identifier)
    return f"{identifier} {name}" if name else identifier
