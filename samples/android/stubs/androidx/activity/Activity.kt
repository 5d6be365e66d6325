// Stubs of the parts of androidx.activity that the app uses, for type-checking without androidx. Not part of the app.
package androidx.activity

import android.app.Activity

open class ComponentActivity : Activity()
