"""Kill anything, at any moment of any stage: real servers and real worker processes, with engines so small that every
moment can be had."""
