/* What ring's C asks of Apple's <TargetConditionals.h> for iOS. */
#pragma once
#define TARGET_OS_MAC 1
#define TARGET_OS_IPHONE 1
#define TARGET_OS_IOS 1
