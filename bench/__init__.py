"""What it costs, side by side with peers, in one run: ratios and medians, since machines are noisy."""
