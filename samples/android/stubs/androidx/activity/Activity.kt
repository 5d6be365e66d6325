// What the app takes of androidx.activity, so that it can be type-checked where androidx is not to be had. No part of it.
package androidx.activity

import android.app.Activity

open class ComponentActivity : Activity()
