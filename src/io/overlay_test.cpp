#include "io/overlay.hpp"

#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

namespace sluice::test {
namespace {

class AnOverlay : public testing::Test {
protected:
    void SetUp() override {
        write(*below_, "old", "as it was");
        overlay_ = overlay_in_memory(*below_, pins_);
    }
    static void write(Directory& directory, const std::string& name, std::string_view bytes) {
        const auto file = directory.open(name, Create::if_missing).value();
        file->truncate(0).value();
        file->write_at(0, bytes).value();
        file->sync().value();
    }
    static std::string read(Directory& directory, const std::string& name) {
        const auto file = directory.open(name, Create::never);
        if (!file) return std::string(name_of(file.error().code));
        std::string bytes((*file)->size_bytes(), '\0');
        (*file)->read_at(0, bytes.data(), bytes.size()).value();
        return bytes;
    }
    using Names = std::vector<std::string>;

    TemporaryDirectory directory_;
    std::unique_ptr<Directory> below_ = open_directory(directory_.path(), Create::never).value();
    std::shared_ptr<Pins> pins_ = std::make_shared<Pins>();
    std::unique_ptr<Directory> overlay_;
};

TEST_F(AnOverlay, ShowsWhatIsBelowAndChangesNothingThere) {
    EXPECT_EQ(read(*overlay_, "old"), "as it was");
    write(*overlay_, "old", "changed");
    write(*overlay_, "new", "made");
    EXPECT_EQ(read(*overlay_, "old"), "changed");
    EXPECT_EQ(overlay_->list().value(), (Names{"new", "old"}));
    overlay_->rename("old", "renamed").value();
    EXPECT_EQ(overlay_->list().value(), (Names{"new", "renamed"}));
    EXPECT_EQ(read(*overlay_, "renamed"), "changed");
    EXPECT_EQ(read(*overlay_, "old"), "not_found");
    overlay_->remove("new").value();
    EXPECT_EQ(read(*overlay_, "new"), "not_found");

    EXPECT_EQ(below_->list().value(), Names{"old"});
    EXPECT_EQ(read(*below_, "old"), "as it was");
}

TEST_F(AnOverlay, CopiesWhatIsOpenWhenItIsFirstChanged) {
    const auto reader = overlay_->open("old", Create::never).value();
    const auto writer = overlay_->open("old", Create::never).value();
    writer->write_at(0, "AS").value();
    EXPECT_EQ(read(*overlay_, "old"), "AS it was");
    reader->write_at(6, "IS!").value();
    EXPECT_EQ(read(*overlay_, "old"), "AS it IS!");
    EXPECT_EQ(read(*below_, "old"), "as it was");
    EXPECT_EQ(overlay_->open("old", Create::must).error().code, Errc::exists);
}

// Readers number their new files as the writer does.
TEST_F(AnOverlay, MakesAFileThoughSomebodyMadeOneOfItsNameBelow) {
    write(*below_, "next", "the writer's");
    overlay_->open("next", Create::must).value()->write_at(0, "the reader's").value();
    EXPECT_EQ(read(*overlay_, "next"), "the reader's");
    EXPECT_EQ(read(*below_, "next"), "the writer's");
    EXPECT_EQ(overlay_->open("next", Create::must).error().code, Errc::exists);
}

TEST_F(AnOverlay, RenamesWhatIsBelow) {
    overlay_->rename("old", "name").value();
    EXPECT_EQ(read(*overlay_, "name"), "as it was");
    EXPECT_EQ(overlay_->list().value(), Names{"name"});
    EXPECT_EQ(overlay_->rename("old", "again").error().code, Errc::not_found);
    write(*overlay_, "old", "another");
    EXPECT_EQ(read(*overlay_, "old"), "another");
    EXPECT_EQ(below_->list().value(), Names{"old"});
}

// The owner of the directory destroys nothing that is mapped here, and nothing is mapped here that
// he destroys.
TEST_F(AnOverlay, PinsWhatIsMapped) {
    const auto file = overlay_->open("old", Create::never).value();
    EXPECT_TRUE(below_->open("old", Create::never).value()->claim().value().is_granted);
    auto mapping = file->map(4096).value();
    const auto owner = below_->open("old", Create::never).value();
    const Claim refused = owner->claim().value();
    EXPECT_FALSE(refused.is_granted);
    // Some file systems and containers do not say who it is.
    EXPECT_TRUE(refused.holders == std::to_string(::getpid()) || refused.holders == "unknown");
    EXPECT_EQ(destroy_file(*below_, "old").error().code, Errc::busy);
    EXPECT_EQ(mapping.bytes(0, 9), "as it was");

    const auto late = overlay_->open("old", Create::never).value();
    mapping = {};
    file->write_at(0, "").value(); // Lets the file below go.
    EXPECT_TRUE(owner->claim().value().is_granted);
    EXPECT_EQ(late->map(4096).error().code, Errc::not_found);
}

// Whoever reads goes on with the bytes as they were, and their file can be destroyed.
TEST_F(AnOverlay, LeavesFilesAndKeepsWhatWasMappedOfThem) {
    auto mapping = overlay_->open("old", Create::never).value()->map(9).value();
    EXPECT_TRUE(pins_->any());
    pins_->leave_files().value();
    EXPECT_FALSE(pins_->any());
    const auto owner = below_->open("old", Create::never).value();
    EXPECT_TRUE(owner->claim().value().is_granted);
    owner->write_at(0, "zeroed...").value();
    EXPECT_EQ(mapping.bytes(0, 9), "as it was");
    mapping = {};
    pins_->leave_files().value();
}

TEST_F(AnOverlay, DoesNotMapWhatHasNoNameAnyMore) {
    const auto file = overlay_->open("old", Create::never).value();
    below_->remove("old").value();
    EXPECT_EQ(file->map(4096).error().code, Errc::not_found);
}

} // namespace
} // namespace sluice::test
