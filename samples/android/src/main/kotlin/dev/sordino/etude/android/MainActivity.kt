package dev.sordino.etude.android

import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import dev.sordino.android.MicrophonePermission
import dev.sordino.etude.screens.EtudeApp

class MainActivity : ComponentActivity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        // Without it, “Start listening” shows an error.
        if (!MicrophonePermission.isGranted(this)) MicrophonePermission.request(this)
        val etude = (application as EtudeApplication).etude
        setContent { EtudeApp(etude) }
    }

    override fun onStop() {
        // The app listens only while it is visible.
        (application as EtudeApplication).etude.practice.stop()
        super.onStop()
    }
}
