"""The one place where strategy, risk, orders and portfolio meet: `step(event) -> commands`."""
