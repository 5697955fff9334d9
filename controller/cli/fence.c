/* eyrie fence HOST */
#include "cli/command.h"
#include "cli/order.h"

int fence_run(const struct cli *cli, int argc, char **argv)
{
    return argc == 1 ? order_give_about(cli, "fence", "/v1/fence", argv[0])
                     : command_wrong_arguments(cli, "fence");
}
