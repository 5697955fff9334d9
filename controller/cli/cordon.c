/* eyrie cordon HOST */
#include "cli/command.h"
#include "cli/order.h"

int cordon_run(const struct cli *cli, int argc, char **argv)
{
    return argc == 1 ? order_give_about(cli, "cordon", "/v1/cordon", argv[0])
                     : command_wrong_arguments(cli, "cordon");
}
