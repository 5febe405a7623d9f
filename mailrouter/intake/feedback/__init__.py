"""Consequences of mail that did not arrive: bounces, alerts, and reports to senders."""
