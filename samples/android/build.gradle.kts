// Builds the app with Android's tools; README.md says what has been tested.
plugins {
    id("com.android.application") version "8.7.3"
    kotlin("android") version "2.2.21"
    kotlin("plugin.compose") version "2.2.21"
}

android {
    namespace = "dev.sordino.etude.android"
    compileSdk = 35
    defaultConfig {
        applicationId = "dev.sordino.etude"
        minSdk = 24
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    // The view models and the screens are shared with the desktop app.
    sourceSets["main"].kotlin.srcDirs("src/main/kotlin", "../shared/src/main/kotlin", "../screens/src/main/kotlin")
}

kotlin { compilerOptions { jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11) } }

dependencies {
    implementation("dev.sordino:sordino-android:0.1.0")
    implementation("androidx.activity:activity-compose:1.9.3")
    implementation("androidx.compose.foundation:foundation:1.7.6")
}
