/* eyrie drain HOST | VM */
#include "cli/command.h"
#include "cli/order.h"

int drain_run(const struct cli *cli, int argc, char **argv)
{
    if (argc != 1)
        return command_wrong_arguments(cli, "drain");
    if (cli->cancel && cli->now)
        return cli_usage(cli, "--cancel takes a drain back, and --now makes one");
    return order_give_about(cli, "drain", cli->cancel ? "/v1/undrain" : "/v1/drain", argv[0]);
}
