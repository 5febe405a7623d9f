"""What follows when mail did not arrive: bounces, alerts, and reports to senders."""
