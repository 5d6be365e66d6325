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

/** A handle of the library is freed once: no second object can have the same handle. */
internal class HandlesTest : EngineTestBase() {
    @Test
    fun `classes with a handle cannot be copied or extended`() {
        val holders = holders()
        val names = holders.map { it.simpleName }
        val known = listOf("Engine", "EngineBuilder", "EnginePcmWriter", "EngineCaptureSession", "Sordino", "PcmWriter")
        assertTrue(names.containsAll(known), "$names")
        for (holder in holders) {
            assertTrue(Modifier.isFinal(holder.modifiers), "$holder is not final; a subclass could be Cloneable")
            assertEquals(emptySet<String>(), supertypes(holder).map { it.name }.toSet() intersect COPYING, "$holder")
            val copying = holder.declaredMethods.map { it.name }
                .filter { it == "clone" || it == "writeReplace" || it == "component1" || it.substringBefore('$') == "copy" }
            assertEquals(emptyList<String>(), copying, "$holder")
        }
    }

    @Test
    fun `serializing an object with a handle is refused`() {
        sordino.listenToPcmSource(RATE).use { writer ->
            for (holder in listOf(sordino, writer)) {
                assertThrows(NotSerializableException::class.java) {
                    ObjectOutputStream(ByteArrayOutputStream()).writeObject(holder)
                }
            }
        }
    }

    /** Like object mappers and mocking libraries, which bypass constructors. */
    @Test
    fun `a field-by-field copy does not free a handle twice`() {
        sordino.listenToPcmSource(RATE).use { writer ->
            val field = PcmWriter::class.java.getDeclaredField("engineWriter").apply { isAccessible = true }
            val original = field.get(writer) as EnginePcmWriter
            val copy = copyOfFields(original)
            original.destroy()
            copy.destroy()
            copy.close()
            assertThrows(IllegalStateException::class.java) { copy.stop() }
        }
        // The library still works.
        sordino.listenToPcmSource(RATE).use { assertEquals(0, it.push(FloatArray(FRAME_SIZE))) }
    }

    private fun copyOfFields(original: EnginePcmWriter): EnginePcmWriter {
        val unsafe = sun.misc.Unsafe::class.java.getDeclaredField("theUnsafe").apply { isAccessible = true }
            .get(null) as sun.misc.Unsafe
        val copy = unsafe.allocateInstance(EnginePcmWriter::class.java) as EnginePcmWriter
        for (field in EnginePcmWriter::class.java.declaredFields) {
            if (Modifier.isStatic(field.modifiers)) continue
            field.isAccessible = true
            field.set(copy, field.get(original))
        }
        return copy
    }

    /** All classes, generated and written, whose objects have a handle, directly or through a reference. */
    private fun holders(): Set<Class<*>> {
        val folder = File(Sordino::class.java.protectionDomain.codeSource.location.toURI())
        val classes = folder.walk().filter { it.extension == "class" }
            .map { it.relativeTo(folder).path.removeSuffix(".class").replace(File.separatorChar, '.') }
            .map { Class.forName(it, false, javaClass.classLoader) }
            .filterNot { it.isInterface || isCompilerGenerated(it) }
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

    /** The class names in the types of its fields, including type parameters. */
    private fun Class<*>.fieldTypes(): List<List<String>> = declaredFields.filterNot { Modifier.isStatic(it.modifiers) }
        .map { it.genericType.typeName.split(Regex("[^\\w.$]+")) }

    /** State machines of suspend functions and lambdas. They are Serializable, but the objects they refer to are not. */
    private fun isCompilerGenerated(it: Class<*>) = it.isSynthetic || it.isAnonymousClass ||
        Continuation::class.java.isAssignableFrom(it) || kotlin.jvm.internal.Lambda::class.java.isAssignableFrom(it)

    private fun supertypes(type: Class<*>): List<Class<*>> =
        generateSequence<Class<*>>(type) { it.superclass }.flatMap { listOf(it) + it.interfaces.flatMap(::supertypes) }.toList()

    private companion object {
        /** By name, because Android's classes are not on the class path. */
        val COPYING = setOf("java.lang.Cloneable", "java.io.Serializable", "java.io.Externalizable", "android.os.Parcelable")
    }
}
