// SPDX-License-Identifier: GPL-2.0-only
#include "common/cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(&tool, argc, argv);
}
