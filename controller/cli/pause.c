/* eyrie pause */
#include "cli/command.h"
#include "cli/show.h"

int pause_run(const struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "pause") : show_command(cli, "/v1/pause");
}
