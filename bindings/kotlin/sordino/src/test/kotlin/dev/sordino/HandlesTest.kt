package dev.sordino

import java.io.ByteArrayOutputStream
import java.io.File
import java.io.NotSerializableException
import java.io.ObjectOutputStream
import java.lang.reflect.Modifier
import kotlin.coroutines.Continuation
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

/** What holds a handle of the library frees it once: there is no way to have a second that holds the same. */
internal class HandlesTest : Opened() {
    @Test
    fun `no class that holds a handle can be copied, cloned, serialized or extended`() {
        val holders = holders()
        val names = holders.map { it.simpleName }
        val known = listOf("Engine", "EngineBuilder", "EngineFeed", "EngineListening", "Sordino", "Feed")
        assertTrue(names.containsAll(known), "$names")
        for (holder in holders) {
            assertTrue(Modifier.isFinal(holder.modifiers), "$holder can be extended, by a class that is Cloneable")
            assertEquals(emptySet<String>(), supertypes(holder).map { it.name }.toSet() intersect COPYING, "$holder")
            val copying = holder.declaredMethods.map { it.name }
                .filter { it == "clone" || it == "writeReplace" || it == "component1" || it.substringBefore('$') == "copy" }
            assertEquals(emptyList<String>(), copying, "$holder")
        }
    }

    @Test
    fun `writing an object that holds a handle is refused`() {
        sordino.openFeed(RATE).use { feed ->
            for (holder in listOf(sordino, feed)) {
                assertThrows(NotSerializableException::class.java) {
                    ObjectOutputStream(ByteArrayOutputStream()).writeObject(holder)
                }
            }
        }
    }

    /** As object mappers and mocking libraries do, which go around constructors. */
    @Test
    fun `a copy that was made field by field frees nothing a second time`() {
        sordino.openFeed(RATE).use { feed ->
            val face = Feed::class.java.getDeclaredField("face").apply { isAccessible = true }.get(feed) as EngineFeed
            val copy = copyOfFields(face)
            face.destroy()
            copy.destroy()
            copy.close()
            assertThrows(IllegalStateException::class.java) { copy.stop() }
        }
        // The library is whole.
        sordino.openFeed(RATE).use { assertEquals(0, it.push(FloatArray(FRAME))) }
    }

    private fun copyOfFields(original: EngineFeed): EngineFeed {
        val unsafe = sun.misc.Unsafe::class.java.getDeclaredField("theUnsafe").apply { isAccessible = true }
            .get(null) as sun.misc.Unsafe
        val copy = unsafe.allocateInstance(EngineFeed::class.java) as EngineFeed
        for (field in EngineFeed::class.java.declaredFields) {
            if (Modifier.isStatic(field.modifiers)) continue
            field.isAccessible = true
            field.set(copy, field.get(original))
        }
        return copy
    }

    /** All classes, printed and written, whose objects hold a handle: themselves, or by what they refer to. */
    private fun holders(): Set<Class<*>> {
        val folder = File(Sordino::class.java.protectionDomain.codeSource.location.toURI())
        val classes = folder.walk().filter { it.extension == "class" }
            .map { it.relativeTo(folder).path.removeSuffix(".class").replace(File.separatorChar, '.') }
            .map { Class.forName(it, false, javaClass.classLoader) }
            .filterNot { it.isInterface || isMadeByTheCompiler(it) }
            .toSet()
        val holders = classes.filter { holder ->
            Disposable::class.java.isAssignableFrom(holder) &&
                holder.declaredFields.any { it.name == "handle" && it.type == Long::class.javaPrimitiveType }
        }.toMutableSet()
        while (true) {
            val names = holders.map { it.name }
            val more = classes.filter { holder -> holder !in holders && holder.fieldTypes().any { type -> type.any(names::contains) } }
            if (!holders.addAll(more)) return holders
        }
    }

    /** The whole words of the types of its fields, with their parameters. */
    private fun Class<*>.fieldTypes(): List<List<String>> = declaredFields.filterNot { Modifier.isStatic(it.modifiers) }
        .map { it.genericType.typeName.split(Regex("[^\\w.$]+")) }

    /** What a suspend function or a lambda holds while it runs. Kotlin's are Serializable, but what they refer to is not. */
    private fun isMadeByTheCompiler(it: Class<*>) = it.isSynthetic || it.isAnonymousClass ||
        Continuation::class.java.isAssignableFrom(it) || kotlin.jvm.internal.Lambda::class.java.isAssignableFrom(it)

    private fun supertypes(of: Class<*>): List<Class<*>> =
        generateSequence<Class<*>>(of) { it.superclass }.flatMap { listOf(it) + it.interfaces.flatMap(::supertypes) }.toList()

    private companion object {
        /** By name: Android's are not here. */
        val COPYING = setOf("java.lang.Cloneable", "java.io.Serializable", "java.io.Externalizable", "android.os.Parcelable")
    }
}
