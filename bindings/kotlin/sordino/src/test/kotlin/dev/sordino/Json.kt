package dev.sordino

/** A minimal JSON reader for the tests. */
internal class Json private constructor(private val value: Any?) {
    val text: String get() = value as String
    val number: Double get() = value as Double
    val elements: List<Json> get() = (value as List<*>).map(::Json)

    operator fun get(name: String): Json {
        val members = value as Map<*, *>
        check(name in members) { "no member $name among ${members.keys}" }
        return Json(members[name])
    }

    override fun equals(other: Any?): Boolean = other is Json && value == other.value
    override fun hashCode(): Int = value.hashCode()
    override fun toString(): String = value.toString()

    companion object {
        fun of(text: String): Json = Json(Parser(text).document())
    }

    private class Parser(private val text: String) {
        private var at = 0

        fun document(): Any? = value().also {
            space()
            check(at == text.length) { "unexpected text after the document at offset $at" }
        }

        private fun value(): Any? {
            space()
            return when (val first = text[at]) {
                '{' -> list('}') { string() to run { take(':'); value() } }.toMap()
                '[' -> list(']') { value() }
                '"' -> string()
                't' -> true.also { word("true") }
                'f' -> false.also { word("false") }
                'n' -> null.also { word("null") }
                else -> {
                    check(first == '-' || first.isDigit()) { "unexpected $first at offset $at" }
                    val start = at
                    while (at < text.length && text[at] in "+-.eE0123456789") at++
                    text.substring(start, at).toDouble()
                }
            }
        }

        private fun <T> list(end: Char, element: () -> T): List<T> {
            at++
            space()
            val elements = mutableListOf<T>()
            while (text[at] != end) {
                elements += element()
                space()
                if (text[at] == ',') at++ else check(text[at] == end) { "unterminated list at offset $at" }
                space()
            }
            at++
            return elements
        }

        private fun string(): String {
            take('"')
            return buildString {
                while (text[at] != '"') {
                    val next = text[at++]
                    append(if (next == '\\') escaped() else next)
                }
                at++
            }
        }

        private fun escaped(): Char = when (val letter = text[at++]) {
            'n' -> '\n'
            't' -> '\t'
            'r' -> '\r'
            'b' -> '\b'
            'f' -> '\u000C'
            'u' -> text.substring(at, at + 4).toInt(16).toChar().also { at += 4 }
            else -> letter
        }

        private fun take(expected: Char) {
            space()
            check(text[at] == expected) { "expected $expected at offset $at" }
            at++
        }

        private fun word(word: String) {
            check(text.startsWith(word, at)) { "expected $word at offset $at" }
            at += word.length
        }

        private fun space() {
            while (at < text.length && text[at].isWhitespace()) at++
        }
    }
}
