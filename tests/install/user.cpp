// The least program that uses the installed library. Exit code 0 when it works.
#include <sluice/key.hpp>

#include <cstdio>

int main() {
    const sluice::Key key{"@alice", 42};
    const sluice::Key back = sluice::Key::from_encoded(key.encoded()).value();
    std::printf("%s\n", back.to_json().c_str());
    return back == key && back.to_json() == R"(["@alice",42])" ? 0 : 1;
}
