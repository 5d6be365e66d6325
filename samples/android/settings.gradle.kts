pluginManagement {
    repositories { google(); mavenCentral(); gradlePluginPortal() }
}
dependencyResolutionManagement {
    // `bindings/kotlin/build` installs Sordino into the local one.
    repositories { mavenLocal(); google(); mavenCentral() }
}
rootProject.name = "etude"
