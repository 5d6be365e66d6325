package dev.sordino.etude.screens

import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.TextStyle
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp

/**
 * Colors. Text has a contrast of at least 4.5 : 1 on every background, borders of controls 3 : 1 (WCAG 2.2, 1.4.3 and
 * 1.4.11); no information depends on color alone.
 */
internal object Colors {
    val paper = Color(0xFFF7F5F0)
    val card = Color(0xFFFFFFFF)
    val ink = Color(0xFF1D2733)
    val quiet = Color(0xFF556070)
    val line = Color(0xFFE3DED4)
    val border = Color(0xFF858D99)
    val accent = Color(0xFF0B5D63)
    val accentSoft = Color(0xFFDDEDEB)
    val onAccent = Color(0xFFFFFFFF)
    val warm = Color(0xFF7A4300)
    val warmSoft = Color(0xFFFBEEDA)
    val danger = Color(0xFF9C1F2E)
    val dangerSoft = Color(0xFFFAE6E6)
}

/** Text styles, on a scale of about 5 : 4. */
internal object Type {
    val note = TextStyle(fontSize = 72.sp, lineHeight = 80.sp, fontWeight = FontWeight.Light, color = Colors.ink)
    val title = TextStyle(fontSize = 28.sp, lineHeight = 36.sp, fontWeight = FontWeight.SemiBold, color = Colors.ink)
    val heading = TextStyle(fontSize = 18.sp, lineHeight = 24.sp, fontWeight = FontWeight.SemiBold, color = Colors.ink)
    val body = TextStyle(fontSize = 15.sp, lineHeight = 23.sp, color = Colors.ink)
    val quiet = body.copy(color = Colors.quiet)
    val strong = body.copy(fontWeight = FontWeight.SemiBold)
    val small = TextStyle(fontSize = 13.sp, lineHeight = 18.sp, color = Colors.quiet)
}

/** Spacing on a grid of 4 dp. */
internal object Space {
    val hair = 4.dp
    val small = 8.dp
    val medium = 16.dp
    val large = 24.dp
    val huge = 40.dp

    /** The corner radius of cards and controls. */
    val corner = 10.dp

    /** The smallest side of a touch target. */
    val touch = 44.dp

    /** The longest readable line. */
    val readable = 800.dp
}
