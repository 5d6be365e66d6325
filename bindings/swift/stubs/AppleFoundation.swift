// Stubs of the parts of Apple's Foundation that Sordino uses and Foundation on Linux does not have, for type-checking only.
import Foundation
import FoundationNetworking

extension URLSessionConfiguration {
  class func background(withIdentifier identifier: String) -> URLSessionConfiguration { fatalError() }
  var sessionSendsLaunchEvents: Bool {
    get { false }
    set {}
  }
  var isDiscretionary: Bool {
    get { false }
    set {}
  }
  var allowsExpensiveNetworkAccess: Bool {
    get { false }
    set {}
  }
}
