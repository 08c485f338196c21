"""The duty to inform, made usable: terms and exemptions, reports that can be checked, reminders."""
