//! Apple's privacy manifest of the SDK, a property list.

use std::{collections::BTreeSet, fmt::Write as _};

use sordino::disclosure::{APPLE_APIS, STORE_DATA};

use super::facts::Facts;

const TOP: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>NSPrivacyTracking</key>
	<false/>
	<key>NSPrivacyTrackingDomains</key>
	<array/>
	<key>NSPrivacyCollectedDataTypes</key>
	<array>
"#;

pub(super) fn write(_: &Facts) -> String {
    let mut list = TOP.to_owned();
    // Of each type one entry, though several kinds of data are of it.
    let mut listed = BTreeSet::new();
    for data in STORE_DATA {
        if !listed.insert(data.apple_constant) {
            continue;
        }
        let _ = writeln!(
            list,
            "\t\t<dict>\n\
             \t\t\t<key>NSPrivacyCollectedDataType</key>\n\
             \t\t\t<string>{}</string>\n\
             \t\t\t<key>NSPrivacyCollectedDataTypeLinked</key>\n\
             \t\t\t<false/>\n\
             \t\t\t<key>NSPrivacyCollectedDataTypeTracking</key>\n\
             \t\t\t<false/>\n\
             \t\t\t<key>NSPrivacyCollectedDataTypePurposes</key>\n\
             \t\t\t<array>",
            data.apple_constant
        );
        let same = STORE_DATA
            .iter()
            .filter(|other| other.apple_constant == data.apple_constant);
        let purposes: BTreeSet<&str> = same
            .flat_map(|data| data.apple_purposes)
            .map(|(_, constant)| *constant)
            .collect();
        for purpose in purposes {
            let _ = writeln!(list, "\t\t\t\t<string>{purpose}</string>");
        }
        list.push_str("\t\t\t</array>\n\t\t</dict>\n");
    }
    list.push_str("\t</array>\n\t<key>NSPrivacyAccessedAPITypes</key>\n\t<array>\n");
    for api in APPLE_APIS {
        if let Some(reason) = api.reason {
            let _ = writeln!(
                list,
                "\t\t<dict>\n\
                 \t\t\t<key>NSPrivacyAccessedAPIType</key>\n\
                 \t\t\t<string>{}</string>\n\
                 \t\t\t<key>NSPrivacyAccessedAPITypeReasons</key>\n\
                 \t\t\t<array>\n\
                 \t\t\t\t<string>{reason}</string>\n\
                 \t\t\t</array>\n\
                 \t\t</dict>",
                api.category
            );
        }
    }
    list.push_str("\t</array>\n</dict>\n</plist>\n");
    list
}
