# The C library. Only `math` also runs uncompiled; the rest is for modules that have a plain-Python twin.
