pluginManagement {
    repositories { google(); mavenCentral(); gradlePluginPortal() }
}
dependencyResolutionManagement {
    // `cargo xtask kotlin build` installs Sordino into the local one.
    repositories { mavenLocal(); google(); mavenCentral() }
}
rootProject.name = "etude"
