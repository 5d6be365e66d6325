// What Sordino touches of Apple's Foundation that the one of Linux lacks, for its types alone.
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
