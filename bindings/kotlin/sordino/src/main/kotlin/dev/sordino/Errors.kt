package dev.sordino

// The errors that Kotlin raises itself, with the codes that the library uses for the same cases.

internal fun argumentError(message: String) = SordinoException.Argument("invalid-argument", message)

internal fun formatError(message: String) = SordinoException.Capture("unsupported-format", message)

internal fun engineClosed() = SordinoException.Closed("closed", "Sordino is closed; open it again")

internal fun writerClosed() = SordinoException.Stopped("stopped", "the writer is closed; start listening again")
