#include "import/exporter.hpp"

#include "base/try.hpp"
#include "inspect/json.hpp"
