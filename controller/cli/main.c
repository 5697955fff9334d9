#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>

#include "cli/cli.h"

int main(int argc, char **argv)
{
    (void)setlocale(LC_ALL, "");
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    int r = cli_main(argc, argv, stdout, stderr);
    curl_global_cleanup();
    return r;
}
