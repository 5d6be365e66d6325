package androidx.activity.compose

import androidx.activity.ComponentActivity
import androidx.compose.runtime.Composable

@Suppress("UNUSED_PARAMETER", "UnusedReceiverParameter")
fun ComponentActivity.setContent(content: @Composable () -> Unit): Unit = error("this is a stub; build with Gradle")
