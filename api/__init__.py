"""HTTP and Telegram in; updates and queries out."""
