package dev.sordino.etude.android

import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import dev.sordino.android.MicrophonePermission
import dev.sordino.etude.screens.EtudeApp

class MainActivity : ComponentActivity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        // Without it, “Start listening” says so in a line of its own.
        if (!MicrophonePermission.isGranted(this)) MicrophonePermission.ask(this)
        val etude = (application as EtudeApplication).etude
        setContent { EtudeApp(etude) }
    }

    override fun onStop() {
        // Nobody is listened to who does not see that they are.
        (application as EtudeApplication).etude.practice.stop()
        super.onStop()
    }
}
