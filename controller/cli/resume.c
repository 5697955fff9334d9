/* eyrie resume */
#include "cli/command.h"
#include "cli/show.h"

int resume_run(const struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "resume") : show_command(cli, "/v1/resume");
}
