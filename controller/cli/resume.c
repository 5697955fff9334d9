/* eyrie resume */
#include "cli/command.h"
#include "cli/order.h"

int resume_run(const struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "resume") : order_give(cli, "resume", "/v1/resume");
}
