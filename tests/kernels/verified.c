// SPDX-License-Identifier: GPL-2.0-only
/*
 * verified LINK - how many instructions the verifier went through, all paths
 * counted, for the program behind a pinned bpf_link; 0 where the kernel does
 * not say (before 5.16)
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct bpf_link_info link = {0};
	struct bpf_prog_info program = {0};
	__u32 link_size = sizeof(link), program_size = sizeof(program);
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: verified LINK\n");
		return 2;
	}
	fd = bpf_obj_get(argv[1]);
	if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &link, &link_size))
		fd = bpf_prog_get_fd_by_id(link.prog_id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &program, &program_size)) {
		fprintf(stderr, "verified: cannot ask about %s: %s\n", argv[1],
			strerror(errno));
		return 1;
	}
	printf("%u\n", program.verified_insns);
	return 0;
}
