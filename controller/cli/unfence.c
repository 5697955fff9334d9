/* eyrie unfence HOST */
#include "cli/command.h"
#include "cli/order.h"

int unfence_run(const struct cli *cli, int argc, char **argv)
{
    return argc == 1 ? order_give_about(cli, "unfence", "/v1/unfence", argv[0])
                     : command_wrong_arguments(cli, "unfence");
}
