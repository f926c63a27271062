#include "cli/program.hpp"

int main(int argc, char** argv) {
    return sluice::cli::Program().run(argc, argv);
}
