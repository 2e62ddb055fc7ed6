"""A market order on every bar, buying and selling by turns: the strategy of row `orders_filled`."""

from lockstep import Bar, Strategy


class OrderEveryBar(Strategy):
    quantity: float = 1.0

    def on_start(self) -> None:
        self.is_long = False

    def on_bar(self, bar: Bar) -> None:
        if self.is_long:
            self.sell(self.quantity)
        else:
            self.buy(self.quantity)
        self.is_long = not self.is_long
