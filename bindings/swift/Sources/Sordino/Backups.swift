import Foundation

/// Has the system leave a folder out of backups and of what moves to another device. A state folder that is put back
/// would bring back an earlier state of consent.
///
/// - Returns: Whether the system took it; only Apple's has such a setting.
@discardableResult
func keepOutOfBackups(_ folder: URL) -> Bool {
  #if canImport(Darwin) || SORDINO_STUBS
    var folder = folder
    var values = URLResourceValues()
    values.isExcludedFromBackup = true
    return (try? folder.setResourceValues(values)) != nil
  #else
    return false
  #endif
}
