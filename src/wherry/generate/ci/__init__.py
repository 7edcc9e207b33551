"""Applications in, workflows of GitHub and GitLab out. Touches nothing."""
