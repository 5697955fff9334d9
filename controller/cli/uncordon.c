/* eyrie uncordon HOST */
#include "cli/command.h"
#include "cli/order.h"

int uncordon_run(const struct cli *cli, int argc, char **argv)
{
    return argc == 1 ? order_give_about(cli, "uncordon", "/v1/uncordon", argv[0])
                     : command_wrong_arguments(cli, "uncordon");
}
