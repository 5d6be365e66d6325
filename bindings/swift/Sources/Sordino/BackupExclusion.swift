import Foundation

/// Excludes a folder from backups and device transfers. A restored state folder would restore an earlier state of
/// consent.
///
/// - Returns: Whether the system accepted it; only Apple's systems have such a setting.
@discardableResult
func excludeFromBackup(_ folder: URL) -> Bool {
  #if canImport(Darwin) || SORDINO_STUBS
    var folder = folder
    var values = URLResourceValues()
    values.isExcludedFromBackup = true
    return (try? folder.setResourceValues(values)) != nil
  #else
    return false
  #endif
}
