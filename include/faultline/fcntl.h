/* The words of the file calls, with the values of include/uapi/asm-generic/fcntl.h and linux/fs.h of Linux, as lists:
 * the kernel, the script language, its schema and its documentation read the same ones. */
#ifndef FAULTLINE_FCNTL_H
#define FAULTLINE_FCNTL_H

/* X(ID, value, text) */
#define OPEN_FLAG_LIST(X)                                                                                              \
	X(RDONLY, 0x0, "may be read")                                                                                  \
	X(WRONLY, 0x1, "may be written")                                                                               \
	X(RDWR, 0x2, "may be both")                                                                                    \
	X(CREAT, 0x40, "made, empty, if it does not exist")                                                            \
	X(EXCL, 0x80, "with O_CREAT: it must not exist")                                                               \
	X(TRUNC, 0x200, "emptied")                                                                                     \
	X(APPEND, 0x400, "every write goes to its end")                                                                \
	X(CLOEXEC, 0x80000, "closed by execve")

#define SEEK_LIST(X)                                                                                                   \
	X(SET, 0, "from the start")                                                                                    \
	X(CUR, 1, "from the present position")                                                                         \
	X(END, 2, "from the end")

#define X(id, value, text) LINUX_O_##id = (value),
enum { OPEN_FLAG_LIST(X) LINUX_O_ACCMODE = 0x3 };
#undef X
#define X(id, value, text) LINUX_SEEK_##id = (value),
enum { SEEK_LIST(X) };
#undef X

#endif
