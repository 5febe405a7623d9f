"""Limits of the worker process and of its waiting requests."""

CALL_SECONDS = 5.0
"""From a request to its answer, by the clock. The largest honest file takes a fifth of that on a slow machine."""
CPU_SECONDS = 5
"""Processor time of one request, in whole seconds."""
START_SECONDS = 20.0
"""For the process to be ready; a busy machine takes seconds to load its modules."""
MEMORY = 1024 * 2**20
"""Octets of address space: what the process maps, of which it uses a tenth."""
MAX_FRAME = 16 * 2**20
"""Octets of one request."""
MAX_ANSWER = 4 * 2**20
"""Octets of one answer: the event loop takes it apart."""
MOST_WAITING = 8
"""Requests of each kind (proven, and others) that wait while one is worked on."""
WAIT_SECONDS = 20.0
"""A request that has waited so long is told to come again."""
IDLE_SECONDS = 300.0
"""An unused process is ended after so long: it holds some 50 MB."""
