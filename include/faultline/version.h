/* The version of the program and of the library. The build reads it from here, so it is written down once. */
#ifndef FAULTLINE_VERSION_H
#define FAULTLINE_VERSION_H

#define FAULTLINE_VERSION "0.1.0"

#endif
