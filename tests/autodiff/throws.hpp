// EXPECT_THROW that looks at the text too.
#pragma once

#include <gtest/gtest.h>
#include <reel/autodiff/error.hpp>

#define EXPECT_THROWS_WITH(statement, Exception, text)                                      \
  EXPECT_THROW(                                                                             \
      try { statement; } catch (const Exception& error) {                                   \
        EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what(); \
        throw;                                                                              \
      },                                                                                    \
      Exception)
