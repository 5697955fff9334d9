/* eyrie pause */
#include "cli/command.h"
#include "cli/order.h"

int pause_run(const struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "pause") : order_give(cli, "pause", "/v1/pause");
}
