"""What a bundle is worth: metrics, protocol, baselines, and their figures. No drawing, no tuning."""
