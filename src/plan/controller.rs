//! The data controller.

use serde::{Deserialize, Serialize};

/// The organization that decides what samples are used for, as a person reads it: the controller of
/// GDPR article 4(7), the operator of 16 CFR 312.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// The name: 1 to 100 characters.
    pub name: String,
    /// Privacy contact: an e-mail address or an `https://` URL; at most 200 characters.
    pub contact: String,
    /// The country of its jurisdiction: ISO 3166-1 alpha-2, such as `DE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Controller {
    /// Checks every bound that the fields' documentation states.
    ///
    /// # Errors
    /// The member and the reason, for the first that is out of bounds.
    pub fn check_bounds(&self) -> Result<(), (&'static str, &'static str)> {
        let is_name = is_plain(&self.name, 100) && self.name.trim() == self.name;
        let is_contact = is_plain(&self.contact, 200)
            && !self.contact.contains(char::is_whitespace)
            && (is_email(&self.contact) || is_https(&self.contact));
        let is_country = self.country.as_deref().is_none_or(is_country);
        let bounds = [
            (
                "controller.name",
                is_name,
                "must be 1 to 100 characters, none of them a control character, and not begin or \
                 end with a space",
            ),
            (
                "controller.contact",
                is_contact,
                "must be an e-mail address or an https:// URL of at most 200 characters",
            ),
            (
                "controller.country",
                is_country,
                "must be an ISO 3166-1 alpha-2 code, such as DE or US",
            ),
        ];
        match bounds.into_iter().find(|(_, holds, _)| !holds) {
            Some((field, _, reason)) => Err((field, reason)),
            None => Ok(()),
        }
    }
}

fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && !text.contains(char::is_control)
}

/// Whether it has the form of an address; whether it is reachable is not checked.
fn is_email(text: &str) -> bool {
    matches!(text.split_once('@'), Some((local, domain))
        if !local.is_empty() && !local.contains(['/', ':'])
            && !domain.contains('@') && is_host(domain))
}

fn is_https(text: &str) -> bool {
    text.strip_prefix("https://").is_some_and(|rest| {
        let host = rest.split(['/', '?', '#', ':']).next();
        !rest.contains('@') && host.is_some_and(is_host)
    })
}

fn is_host(host: &str) -> bool {
    host.contains('.') && host.split('.').all(|label| !label.is_empty())
}

fn is_country(code: &str) -> bool {
    code.len() == 2
        && COUNTRIES
            .split_ascii_whitespace()
            .any(|known| known == code)
}

/// ISO 3166-1 alpha-2, officially assigned.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ \
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW \
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV \
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY \
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM \
    ZW";

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(name: &str, contact: &str, country: Option<&str>) -> Controller {
        Controller {
            name: name.to_owned(),
            contact: contact.to_owned(),
            country: country.map(str::to_owned),
        }
    }

    #[test]
    fn valid_controllers_are_accepted() {
        let longest = "n".repeat(100);
        for (name, contact, country) in [
            ("Your company", "privacy@example.com", None),
            ("Übungs-Äpp e. V.", "datenschutz@bücher.example", Some("DE")),
            (&longest, "https://example.com/privacy?from=app", Some("US")),
        ] {
            assert_eq!(controller(name, contact, country).check_bounds(), Ok(()));
        }
    }

    #[test]
    fn each_member_out_of_bounds_is_named() {
        let (name, contact) = ("Your company", "privacy@example.com");
        let (long, far) = (
            "n".repeat(101),
            format!("https://example.com/{}", "p".repeat(181)),
        );
        for (controller, wrong) in [
            (controller("", contact, None), "controller.name"),
            (controller(" company", contact, None), "controller.name"),
            (
                controller("Your\ncompany", contact, None),
                "controller.name",
            ),
            (controller(&long, contact, None), "controller.name"),
            (controller(name, "", None), "controller.contact"),
            (
                controller(name, "the front desk", None),
                "controller.contact",
            ),
            (
                controller(name, "http://example.com", None),
                "controller.contact",
            ),
            (controller(name, "https://", None), "controller.contact"),
            (
                controller(name, "https://me@example.com", None),
                "controller.contact",
            ),
            (controller(name, "@example.com", None), "controller.contact"),
            (
                controller(name, "a@b@example.com", None),
                "controller.contact",
            ),
            (
                controller(name, "privacy@example.", None),
                "controller.contact",
            ),
            (controller(name, &far, None), "controller.contact"),
            (controller(name, contact, Some("UK")), "controller.country"),
            (controller(name, contact, Some("de")), "controller.country"),
            (controller(name, contact, Some("D E")), "controller.country"),
            (controller(name, contact, Some("")), "controller.country"),
        ] {
            let refused = controller.check_bounds().map_err(|(field, _)| field);
            assert_eq!(refused, Err(wrong), "{controller:?}");
        }
    }

    #[test]
    fn each_country_is_listed_once() {
        let codes: Vec<_> = COUNTRIES.split_ascii_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
